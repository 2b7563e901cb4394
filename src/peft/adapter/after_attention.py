    layer.ATTENTION_OUT.register_forward_hook(bottleneck())
