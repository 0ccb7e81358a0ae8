namespace Polymath.Generation.Samplers;

/// <summary>One step of choosing a token: changes logits or drops candidates, and never drops all of them. One thread at a time.</summary>
public abstract class Sampler
{
    /// <summary>Works on the candidates of one token.</summary>
    public abstract void Apply(Candidates candidates);

    /// <summary>Learns which token was taken, also those of the prompt.</summary>
    public virtual void Accept(int id, bool isPrompt)
    {
    }
}
