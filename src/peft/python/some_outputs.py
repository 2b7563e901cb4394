# Several layers share these: only some of the outputs are trained.
for name, (turns, of, nth) in {PARTS}.items():
    p = {n.replace(".base_layer", ""): p for n, p in base.named_parameters()}[name]
    chosen = torch.zeros(turns, of, len(p) // turns // of); chosen[:, nth] = 1.0
    p.register_hook(lambda g, m=chosen.flatten(): g * m)
    held += int((chosen == 0).sum())
