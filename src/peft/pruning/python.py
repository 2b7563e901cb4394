for p in base.parameters(): p.requires_grad_(True)
linear = {name: p for name, p in base.named_parameters() if ".LIST." in name and p.dim() == 2}
masks = {name: torch.ones_like(p) for name, p in linear.items()}
for name, p in linear.items(): p.register_hook(lambda g, m=masks[name]: g * m)
each = lambda name, p: EACH
due = WHEN
@torch.no_grad()
def before_step(step):
    if step not in due: return
    optimizer.state.clear()  # the optimizer starts anew with each round
    for name, p in linear.items():
        for weights, mask in zip(each(name, p), each(name, masks[name])):
            smallest = weights.abs().flatten().argsort()[: int(due[step] * weights.numel())]
            left = torch.ones(weights.numel()); left[smallest] = 0.0
            mask.copy_(left.view(weights.shape))
        p.mul_(masks[name])
counted = COUNT
