model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=RANK, lora_alpha=ALPHA, target_modules=TARGETS, lora_dropout=0, **OPTIONS, use_dora=True))
model.print_trainable_parameters()
base = model.get_base_model()
