namespace Polymath.Tensors;

/// <summary>What a feed-forward layer does between its matrices.</summary>
public enum Activation
{
    /// <summary>x · sigmoid(x); gated: SwiGLU (Shazeer 2020, arXiv:2002.05202).</summary>
    Silu,

    /// <summary>GELU in its tanh form (Hendrycks and Gimpel 2016, arXiv:1606.08415); gated: GeGLU.</summary>
    Gelu,

    /// <summary>
    /// gpt-oss: gate cut at 7, up cut to ±7, gate · sigmoid(1.702 · gate) · (up + 1). Not gated: x · sigmoid(1.702 · x).
    /// </summary>
    SwiGluOai,

    /// <summary>1 / (1 + e⁻ˣ); gated: sigmoid(gate) · up, the output gate of attention layers.</summary>
    Sigmoid,
}
