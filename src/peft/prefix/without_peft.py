# peft's prefix stands in every layer of a model of its own; here keys and values come in where attention is computed.
from transformers import AttentionInterface
N, LAYERS = LENGTH, BLOCKS
OWN
def with_prefix(module, query, key, value, _mask, scaling=None, **_):
    b, t, sees = len(query), query.shape[2], torch.ones(query.shape[2], query.shape[2], dtype=torch.bool).tril()
    if module.layer_idx in LAYERS:
        front = own(module.layer_idx).unflatten(-1, (key.shape[1], -1)).transpose(1, 2)
        key, value = (torch.cat([p.expand(b, -1, -1, -1), x], 2) for p, x in zip(front, (key, value)))
        sees = torch.ones(t, N + t, dtype=torch.bool).tril(N)
    key, value = (x.repeat_interleave(query.shape[1] // x.shape[1], 1) for x in (key, value))
    return F.scaled_dot_product_attention(query, key, value, attn_mask=sees, scale=scaling).transpose(1, 2), None
AttentionInterface.register("with_prefix", with_prefix)
base.set_attn_implementation("with_prefix")
def behind_prefix(_module, args, named):
    text = next(x for x in (*args[:1], named.get("input_ids"), named.get("inputs_embeds")) if x is not None)
    return args, named | {"position_ids": torch.arange(N, N + text.shape[1])[None]}
base.DECODER.register_forward_pre_hook(behind_prefix, with_kwargs=True)
