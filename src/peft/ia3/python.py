model = get_peft_model(model, IA3Config(task_type="CAUSAL_LM", target_modules=TARGETS, feedforward_modules=INNER))
model.print_trainable_parameters()
base = model.get_base_model()
