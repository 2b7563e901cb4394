model = get_peft_model(model, PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=LENGTH, **OPTIONS))
model.print_trainable_parameters()
base = model.get_base_model()
