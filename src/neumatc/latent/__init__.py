"""What is done with d numbers instead of n² for a matrix A(p) = Σ_q θ_q(p) A_q or a given A(p): correct and certify."""
