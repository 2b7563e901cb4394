    layer.self_attn.out_proj.register_forward_hook(bottleneck())
