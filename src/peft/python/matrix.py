def matrix(name, turns=1, of=1, nth=0):
    """A linear layer, its weight with outputs first, and which of the layer's outputs these are: several matrices may share it."""
    module = base.get_submodule(name)
    rows = torch.arange(len(WEIGHT)).view(turns, of, -1)[:, nth].flatten()
    return module, WEIGHT.detach()[rows], rows
