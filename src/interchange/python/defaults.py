base, extra, held, counted = model, [], 0, None
apply = lambda ids, mask: model(input_ids=ids, attention_mask=mask).logits
before_step = lambda step: None

def among(logits, targets):
    """All logits, or where a label is chosen those of labels."""
    chosen = globals().get("CHOSEN")
    return (logits[:, chosen], torch.tensor([chosen.index(t) for t in targets.tolist()])) if chosen else (logits, targets)
