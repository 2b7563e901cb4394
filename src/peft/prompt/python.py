model = get_peft_model(model, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=LENGTH))
model.print_trainable_parameters()
base = model.get_base_model()
with torch.no_grad():  # from vectors of the vocabulary, as `init=vocab`
    rows = torch.randint(VOCABULARY, (LENGTH,))
    model.prompt_encoder["default"].embedding.weight.copy_(model.word_embeddings.weight[rows])
