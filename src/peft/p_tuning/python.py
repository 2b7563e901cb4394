model = get_peft_model(model, PromptEncoderConfig(task_type="CAUSAL_LM", num_virtual_tokens=LENGTH, encoder_hidden_size=HIDDEN))
model.print_trainable_parameters()
base = model.get_base_model()
