namespace Polymath.Generation.Constraints;

/// <summary>Where spaces may stand in JSON that is written under a constraint.</summary>
public enum JsonWhitespace
{
    /// <summary>
    /// One space after colons; after commas and inside brackets one space, or a new line and its indentation. Bounded, so
    /// that no model can write spaces for ever.
    /// </summary>
    Natural,

    /// <summary>Nowhere.</summary>
    None,
}

/// <summary>What JSON under a schema looks like.</summary>
public sealed record JsonSchemaOptions
{
    /// <summary>Where spaces may stand.</summary>
    public JsonWhitespace Whitespace { get; init; }

    /// <summary>
    /// Objects of a schema that lists properties and says nothing of others have no others. The specification allows any,
    /// which few who write schemas mean, and a weak model loses itself there.
    /// </summary>
    public bool ClosedObjects { get; init; }
}
