model = get_peft_model(model, LNTuningConfig(task_type="CAUSAL_LM", target_modules=NORMS))
model.print_trainable_parameters()
base = model.get_base_model()
