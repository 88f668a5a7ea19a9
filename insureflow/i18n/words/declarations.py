"""Words of declarations to insurers: their states, what they count, and what stands in their way."""

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "DeclarationStatus.draft": _("draft"),
    "DeclarationStatus.approved": _("approved"),
    "DeclarationStatus.declared": _("declared"),
    "DeclarationStatus.superseded": _("replaced by a later version"),
    "DeclarationWay.portal": _("insurer's portal"),
    "DeclarationWay.email": _("e-mail"),
    "DeclarationWay.letter": _("letter"),
    "DeclaredItem.invoice": _("invoice"),
    "DeclaredItem.credit_note": _("credit note"),
    "DeclaredItem.balance": _("balance"),
    "DeclaredItem.limit": _("limit"),
    "SalesCategory.affiliates": _("affiliated company"),
    "SalesCategory.private_persons": _("private person"),
    "SalesCategory.public_buyers": _("public buyer"),
    "SalesCategory.not_insurable": _("buyer not insurable"),
    "SalesCategory.uncovered_countries": _("country not covered"),
    "SalesCategory.prepaid": _("prepaid"),
    "SalesCategory.cash": _("cash sale"),
    "Permission.approve_declarations": _("approve declarations to insurers"),
    "Job.declarations.draft": _("Draft declarations for insurers"),
    "JobHint.declarations.draft": _("Periods that are over are added up from the ledger. A person approves and declares them."),
    "RunCount.declarations_drafted": _("declarations drafted"),
    "Action.declaration.drafted": _("declaration drafted"),
    "Action.declaration.approved": _("declaration approved"),
    "Action.declaration.declared": _("declaration made"),
    "Action.declaration.paper_issued": _("declaration issued as a document"),
    "DocumentKind.declaration": _("declaration to the insurer"),
    "Subject.declaration": _("declaration"),
}

SENTENCES: dict[str, str] = {
    "declaration_period_runs": _("This period runs until %(last)s. Declare it when it is over."),
    "declaration_needs_a_person": _("A declaration is approved by a person. Name who approves."),
    "declaration_approver_may_not": _("%(email)s may not approve declarations. Name somebody whose role may."),
    "declaration_of_own": _("Who drafted a declaration does not approve it. Ask somebody else."),
    "declaration_not_so_far": _("This declaration is “%(status)s”; it must be “%(needed)s” for that."),
    "declaration_unknown": _("There is no such declaration (%(declaration)s) in this organisation."),
    "declaration_not_wanted": _("Policy %(policy)s wants no declarations: its premium is fixed, or its terms name no cycle."),
    "declaration_period_unknown": _("No period of policy %(policy)s that has to be declared ends on %(last)s."),
    "declared_in_future": _("A declaration cannot have been made on %(on)s: today is %(today)s."),
    "declared_before_end": _("A declaration made on %(on)s cannot be of a period that ends on %(last)s."),
    "protocol_needed": _("Give the protocol number of the insurer's portal: it proves that you declared in time."),
}
