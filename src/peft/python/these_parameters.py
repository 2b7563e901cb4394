names = {NAMES}
for name, p in base.named_parameters():
    if name.replace(".base_layer", "") in names: p.requires_grad_(True)
