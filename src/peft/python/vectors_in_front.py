embed = base.model.decoder.embed_tokens
def apply(ids, mask):
    front = prompt().expand(len(ids), -1, -1)
    mask = torch.cat([torch.ones(front.shape[:2], dtype=mask.dtype), mask], 1)
    return model(inputs_embeds=torch.cat([front, embed(ids)], 1), attention_mask=mask).logits
