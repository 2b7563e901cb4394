def apply(ids, mask):
    text = torch.tensor(TEXT, dtype=torch.long).expand(len(ids), -1)
    ids = torch.cat([ids[:, :BEGINS], text, ids[:, BEGINS:]], 1)
    return model(input_ids=ids).logits
