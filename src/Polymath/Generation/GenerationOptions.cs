namespace Polymath.Generation;

/// <summary>How the next token is chosen. The defaults are those people know from llama.cpp.</summary>
public sealed record SamplingOptions
{
    /// <summary>0 takes the most likely token; above, logits are divided by it.</summary>
    public float Temperature { get; init; } = 0.8f;

    /// <summary>Keep the k most likely tokens; 0 for all.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Keep the fewest tokens whose probabilities reach this sum; 1 for all.</summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>Drop tokens less likely than this share of the most likely one; 0 for none.</summary>
    public float MinP { get; init; } = 0.05f;

    /// <summary>Divides positive and multiplies negative logits of recent tokens; 1 for none.</summary>
    public float RepeatPenalty { get; init; } = 1f;

    /// <summary>How many recent tokens the penalty looks at.</summary>
    public int RepeatWindow { get; init; } = 64;

    /// <summary>Taken from the logit of a token for each time the answer holds it already; 0 for none.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Taken from the logit of a token that the answer holds already; 0 for none.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Added to the logits of tokens, by id; −∞ bans one.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = System.Collections.Immutable.ImmutableDictionary<int, float>.Empty;

    /// <summary>Seed of the random numbers; null for a new one each time.</summary>
    public ulong? Seed { get; init; }
}

/// <summary>One request: how much to write and when to stop.</summary>
public sealed record GenerationOptions
{
    /// <summary>Most tokens to write; −1 for as many as the context holds.</summary>
    public int MaxTokens { get; init; } = -1;

    /// <summary>What is done when the context is full before the answer ends.</summary>
    public ContextFull ContextFull { get; init; }

    /// <summary>With <see cref="ContextFull.Shift"/>: tokens at the start of the prompt that are never dropped.</summary>
    public int KeepTokens { get; init; } = 1;

    /// <summary>Texts that end the answer; they are not part of it.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Tokens that end the answer besides the model's own end tokens; they are not part of it.</summary>
    public IReadOnlyList<int> StopIds { get; init; } = [];

    /// <summary>Control tokens, which no reader sees, appear in the text by their names: for those who parse what a model writes.</summary>
    public bool ControlText { get; init; }

    /// <summary>How many of the likeliest tokens are reported at each place with their probabilities; null for none, 0 for the chosen one alone.</summary>
    public int? LogProbs { get; init; }

    /// <summary>What the answer must be; it ends where nothing more may follow. Null for any text.</summary>
    public Constraints.Grammar? Grammar { get; init; }

    /// <summary>How each token is chosen.</summary>
    public SamplingOptions Sampling { get; init; } = new();
}

/// <summary>What is done when the context is full.</summary>
public enum ContextFull
{
    /// <summary>The answer ends and says so.</summary>
    Stop,

    /// <summary>
    /// The older half of what is not kept is dropped and the rest read anew, as if it had been the whole text; the result
    /// says how many tokens were dropped.
    /// </summary>
    Shift,
}

/// <summary>Why an answer ended.</summary>
public enum StopReason
{
    /// <summary>The model wrote an end token.</summary>
    EndOfText,

    /// <summary>A stop text was written.</summary>
    StopText,

    /// <summary><see cref="GenerationOptions.MaxTokens"/> were written.</summary>
    MaxTokens,

    /// <summary>The context is full.</summary>
    ContextFull,

    /// <summary>The caller cancelled.</summary>
    Cancelled,

    /// <summary>The answer is all that <see cref="GenerationOptions.Grammar"/> allows; nothing more may follow.</summary>
    Complete,
}

/// <summary>A token with its probability among all tokens, before any sampler has changed it.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProb">Natural logarithm of its probability.</param>
public readonly record struct TokenLogProb(int Id, float LogProb);

/// <summary>A token of an answer, and what might have stood in its place.</summary>
/// <param name="Chosen">The token.</param>
/// <param name="Likeliest">The likeliest tokens, likeliest first, as many as were asked for.</param>
public sealed record AnswerToken(TokenLogProb Chosen, IReadOnlyList<TokenLogProb> Likeliest);

/// <summary>What one request gave.</summary>
/// <param name="Ids">The tokens written, without the one that ended the text.</param>
/// <param name="Text">The text written, without the stop text.</param>
/// <param name="Reason">Why it ended.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="PromptTime">Time until the first logits.</param>
/// <param name="DecodeTime">Time after that.</param>
/// <param name="Seed">The seed that gives the same text again.</param>
public sealed record GenerationResult(
    IReadOnlyList<int> Ids, string Text, StopReason Reason, int PromptTokens, TimeSpan PromptTime, TimeSpan DecodeTime, ulong Seed)
{
    /// <summary>Tokens dropped from the text because the context was full, in all.</summary>
    public int DroppedTokens { get; init; }

    /// <summary>Tokens of the prompt that were not computed, for another text had begun with them.</summary>
    public int CachedTokens { get; init; }

    /// <summary>Probabilities of the tokens, where they were asked for.</summary>
    public IReadOnlyList<AnswerToken> LogProbs { get; init; } = [];
}
