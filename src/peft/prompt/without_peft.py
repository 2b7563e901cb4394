vectors = torch.nn.Parameter(base.model.decoder.embed_tokens.weight[torch.randint(VOCABULARY, (LENGTH,))].clone())
extra.append(vectors)
prompt = lambda: vectors
