model = get_peft_model(model, LoHaConfig(task_type="CAUSAL_LM", r=RANK, alpha=ALPHA, target_modules=TARGETS, **OPTIONS))
model.print_trainable_parameters()
base = model.get_base_model()
