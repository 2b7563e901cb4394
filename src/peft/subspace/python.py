# θ + Pφ. P is dense here; `peft-lab` builds it as Fastfood's product too, which stores far less.
theta = dict(base.named_parameters())
phi = torch.nn.Parameter(torch.zeros(DIMENSION))
D = sum(p.numel() for p in theta.values())
P = {name: torch.randn(p.numel(), DIMENSION) / D ** 0.5 for name, p in theta.items()}
extra.append(phi)
def apply(ids, mask):
    moved = {name: p + (P[name] @ phi).view_as(p) for name, p in theta.items()}
    return torch.func.functional_call(base, moved, (), dict(input_ids=ids, attention_mask=mask)).logits
