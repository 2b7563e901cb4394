base, extra, held, counted = model, [], 0, None
apply = lambda ids, mask: model(input_ids=ids, attention_mask=mask).logits
before_step = lambda step: None
