    # Beside the MLP: what it reads comes from the residual line, in front of the norm.
    parallel(layer)
