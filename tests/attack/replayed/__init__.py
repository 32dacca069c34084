"""What random trainings are made of: layers of a net, what a step does besides, what comes between steps."""
