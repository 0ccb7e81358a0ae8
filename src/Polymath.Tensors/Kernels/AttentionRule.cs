namespace Polymath.Tensors;

/// <summary>What a layer's attention does with its scores.</summary>
/// <param name="Scale">Factor on the scores, as a rule 1/√S.</param>
public readonly record struct AttentionRule(float Scale)
{
    /// <summary>Scores s become cap · tanh(s / cap); 0 for none (Gemma 2).</summary>
    public float SoftCap { get; init; }

    /// <summary>
    /// Positions a token sees, itself the last of them, or, where attention goes both ways, itself and half as many on
    /// either side; 0 for all.
    /// </summary>
    public int Window { get; init; }

    /// <summary>[1, H] scores that take part in the softmax and have no value (gpt-oss); empty for none.</summary>
    public Tensor Sinks { get; init; }

    /// <summary>Every token of the batch sees all of it, also those after it (encoders).</summary>
    public bool Bidirectional { get; init; }
}
