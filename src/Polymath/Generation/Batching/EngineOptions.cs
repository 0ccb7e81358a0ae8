using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Generation.Batching;

/// <summary>How an <see cref="Engine"/> shares a model among requests.</summary>
public sealed record EngineOptions
{
    /// <summary>Most texts that are written at the same time; more wait.</summary>
    public int MaxTexts { get; init; } = 8;

    /// <summary>Most requests that wait; more are refused.</summary>
    public int MaxWaiting { get; init; } = 256;

    /// <summary>
    /// Most tokens of a text; 0 for the length the model was trained for, but no more than <see cref="Model.DefaultContext"/>.
    /// </summary>
    public int ContextLength { get; init; }

    /// <summary>
    /// Tokens there is room for in all texts together and in the beginnings kept for later requests; 0 for
    /// <see cref="MaxTexts"/> whole contexts, but no more than 64 Ki tokens or one context. Memory is taken as tokens come.
    /// </summary>
    public int CacheTokens { get; init; }

    /// <summary>Most prompt tokens of one step that no text is being written in.</summary>
    public int PromptTokens { get; init; } = 512;

    /// <summary>Most prompt tokens of a step in which others are being written: what a long prompt delays them by.</summary>
    public int PromptTokensBesideOthers { get; init; } = 128;

    /// <summary>Format of the cached keys: F32, F16, BF16, Q8_0, Q4_0 …</summary>
    public TensorFormat KeyFormat { get; init; } = TensorFormat.F16;

    /// <summary>Format of the cached values.</summary>
    public TensorFormat ValueFormat { get; init; } = TensorFormat.F16;

    /// <summary>Beginnings of texts are kept, so that later texts with the same beginning need not compute it.</summary>
    public bool ReusePrefixes { get; init; } = true;
}

/// <summary>The state of an engine at some moment, and what it has done so far.</summary>
/// <param name="Waiting">Requests that wait.</param>
/// <param name="Running">Requests that are being worked on.</param>
/// <param name="PromptTokens">Prompt tokens computed.</param>
/// <param name="CachedTokens">Prompt tokens that other texts had computed already.</param>
/// <param name="GeneratedTokens">Tokens written.</param>
/// <param name="Steps">Passes through the layers.</param>
/// <param name="Pages">Pages of the cache, of 128 tokens each.</param>
/// <param name="FreePages">Pages that neither a text nor a kept beginning holds.</param>
public readonly record struct EngineStatistics(
    int Waiting, int Running, long PromptTokens, long CachedTokens, long GeneratedTokens, long Steps, int Pages, int FreePages);

/// <summary>As many requests wait as the engine lets wait.</summary>
public sealed class EngineBusyException(string message) : Exception(message);
