with torch.no_grad():  # from the keys and values of a text
    text = torch.tensor([(encode(WORDS) * N)[:N]])
    cache = base(input_ids=text, use_cache=True).past_key_values.layers
    rows = lambda x: x[0].transpose(0, 1).flatten(1)
    prefix = {i: torch.nn.Parameter(torch.stack([rows(cache[i].keys), rows(cache[i].values)])) for i in LAYERS}
extra.extend(prefix.values())
own = lambda layer: prefix[layer]
