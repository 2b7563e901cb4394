vectors = torch.nn.Parameter(base.get_input_embeddings().weight[torch.randint(VOCABULARY, (LENGTH,))].clone())
extra.append(vectors)
prompt = lambda: vectors
