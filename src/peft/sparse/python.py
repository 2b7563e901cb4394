# Only K weights get a gradient: the others' is set to zero, and AdamW without decay leaves them.
K = NUM_WEIGHTS
matrices = {name: p for name, p in base.named_parameters() if p.dim() == 2}
for p in matrices.values(): p.requires_grad_(True)
