using Polymath.Models;

namespace Polymath.Generation;

/// <summary>The decoding loop: streamed and collected output come from the same one.</summary>
public static class Generator
{
    /// <summary>Adds <paramref name="prompt"/> to the session's text and writes on from there.</summary>
    /// <param name="session">The text so far.</param>
    /// <param name="prompt">Ids to add first; at least one.</param>
    /// <param name="options">How much, how chosen, when to stop.</param>
    /// <param name="onText">Receives each piece of text as soon as it is certain; never half a character.</param>
    /// <param name="cancellation">Ends the answer early; what is written so far is returned.</param>
    public static GenerationResult Run(
        Session session,
        ReadOnlySpan<int> prompt,
        GenerationOptions options,
        TextSink? onText = null,
        CancellationToken cancellation = default) => throw new NotSupportedException();
}
