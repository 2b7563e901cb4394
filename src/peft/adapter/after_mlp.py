    layer.LAST.register_forward_hook(bottleneck())
