for p in base.parameters(): p.requires_grad_(True)
linear = [p for name, p in base.named_parameters() if ".layers." in name and p.dim() == 2]
masks = [torch.ones_like(p) for p in linear]
for p, mask in zip(linear, masks): p.register_hook(lambda g, m=mask: g * m)
due = WHEN
@torch.no_grad()
def before_step(step):
    if step not in due: return
    optimizer.state.clear()  # the optimizer starts anew with each round
    for p, mask in zip(linear, masks):
        smallest = p.abs().flatten().argsort()[: int(due[step] * p.numel())]
        mask.fill_(1.0); mask.view(-1)[smallest] = 0.0
        p.mul_(mask)
counted = COUNT
