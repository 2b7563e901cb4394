model = get_peft_model(model, VeraConfig(task_type="CAUSAL_LM", r=RANK, target_modules=TARGETS, projection_prng_key=0, **OPTIONS))
model.print_trainable_parameters()
base = model.get_base_model()
