for p in base.parameters(): p.requires_grad_(True)
