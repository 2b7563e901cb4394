    layer.fc2.register_forward_hook(bottleneck())
