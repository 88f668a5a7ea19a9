"""The read side: set-based SQL that answers lists, dashboards and exports."""
