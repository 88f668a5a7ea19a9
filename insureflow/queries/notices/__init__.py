"""Papers for the insurer, read: what they are drawn from, the list of them, one of them with its proof."""
