def decomposed(*place):
    module, W, rows = matrix(*place)
    A, B = torch.nn.Parameter((2 * torch.rand(RANK, W.shape[1]) - 1) / W.shape[1]**0.5), torch.nn.Parameter(torch.zeros(len(W), RANK))
    m = torch.nn.Parameter(W.norm(dim=1))
    extra.extend([A, B, m])
    def change(_m, inputs, y):
        bias = 0 if module.bias is None else module.bias[rows]
        length = (W + SCALING * B @ A).norm(dim=1).detach()  # a constant, as in the paper
        moved = y[..., rows] - bias + SCALING * (inputs[0] @ A.T) @ B.T
        return y.index_copy(-1, rows, m / length * moved + bias)
    module.register_forward_hook(change)
for place in PLACES: decomposed(*place)
