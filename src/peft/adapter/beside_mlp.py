    # Beside the MLP: what it reads comes from the residual line, in front of the LayerNorm.
    parallel(layer)
