model.eval()  # what peft has put in drops nothing any more
with torch.no_grad():
    right = 0
    for i in range(0, len(held_out), 64):
        for z, t in forward(held_out[i : i + 64]):
            hits = torch.tensor(LABELS)[z[:, LABELS].argmax(-1)] == t
            right += hits.all().item() if WHOLE else hits.float().mean().item()
print(f"accuracy {right / len(held_out):.3f} of {len(held_out)}")
