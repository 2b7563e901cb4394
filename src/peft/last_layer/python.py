# An untied copy of the head, or of its labels' rows.
table = base.get_output_embeddings().weight.detach()
head = torch.nn.Parameter(table[ROWS].clone())
extra.append(head)
def apply(ids, mask):
    features = base.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    whole = table.clone(); whole[ROWS] = head
    return features @ whole.T
