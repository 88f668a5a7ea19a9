"""InsureFlow: credit limits, exposure, overdue duties, claims and due diligence for insured receivables."""
