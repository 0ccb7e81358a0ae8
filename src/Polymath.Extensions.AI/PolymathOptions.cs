using Microsoft.Extensions.Options;
using Polymath.Generation;
using Polymath.Generation.Batching;

namespace Polymath.Extensions.AI;

/// <summary>The chat model that <see cref="PolymathServices"/> registers.</summary>
public sealed class PolymathOptions
{
    /// <summary>A GGUF file or a Hugging Face folder; must be there.</summary>
    public string ModelPath { get; set; } = "";

    /// <summary>The model's name for its callers; null for the name of its file.</summary>
    public string? ModelId { get; set; }

    /// <summary>Threads to compute with; 0 for one per processor.</summary>
    public int Threads { get; set; }

    /// <summary>Most tokens of a conversation; 0 as <see cref="EngineOptions.ContextLength"/> says.</summary>
    public int ContextLength { get; set; }

    /// <summary>Most replies that are written at the same time; more wait.</summary>
    public int MaxTexts { get; set; } = 8;

    /// <summary>Most requests that wait; more are refused with an <see cref="EngineBusyException"/>.</summary>
    public int MaxWaiting { get; set; } = 256;

    /// <summary>Tokens there is memory for in all conversations together; 0 as <see cref="EngineOptions.CacheTokens"/> says.</summary>
    public int CacheTokens { get; set; }

    /// <summary>What holds where the options of a request say nothing.</summary>
    public GenerationOptions Generation { get; set; } = new();

    /// <summary>The model is loaded, and has written a token, before the host counts as started.</summary>
    public bool WarmUp { get; set; } = true;
}

/// <summary>The encoder that <see cref="PolymathServices"/> registers.</summary>
public sealed class PolymathEmbeddingOptions
{
    /// <summary>A GGUF file or a Hugging Face folder; must be there.</summary>
    public string ModelPath { get; set; } = "";

    /// <summary>The model's name for its callers; null for the name of its file.</summary>
    public string? ModelId { get; set; }

    /// <summary>Threads to compute with; 0 for one per processor.</summary>
    public int Threads { get; set; }

    /// <summary>Most tokens of a text; 0 for what the model takes.</summary>
    public int MaxTokens { get; set; }

    /// <summary>Numbers of a vector that are kept; 0 as <see cref="Models.TextEncoderOptions.Dimensions"/> says.</summary>
    public int Dimensions { get; set; }

    /// <summary>The end of a text that is too long is cut off instead of refusing the text.</summary>
    public bool CutLongTexts { get; set; }

    /// <summary>The model is loaded, and has made a vector, before the host counts as started.</summary>
    public bool WarmUp { get; set; } = true;
}

/// <summary>Says all that is wrong, before anything is loaded.</summary>
internal sealed class PolymathOptionsValidator : IValidateOptions<PolymathOptions>, IValidateOptions<PolymathEmbeddingOptions>
{
    public ValidateOptionsResult Validate(string? name, PolymathOptions options)
    {
        var found = new ValidateOptionsResultBuilder();
        CheckPath(found, options.ModelPath);
        CheckAtLeast(found, 0, options.Threads, nameof(options.Threads));
        CheckAtLeast(found, 0, options.ContextLength, nameof(options.ContextLength));
        CheckAtLeast(found, 1, options.MaxTexts, nameof(options.MaxTexts));
        CheckAtLeast(found, 0, options.MaxWaiting, nameof(options.MaxWaiting));
        CheckAtLeast(found, 0, options.CacheTokens, nameof(options.CacheTokens));
        if (options.CacheTokens > 0 && options.CacheTokens < options.ContextLength)
            found.AddError($"{options.CacheTokens} tokens are fewer than one context of {options.ContextLength}", nameof(options.CacheTokens));
        if (options.Generation is null)
            found.AddError("is null", nameof(options.Generation));
        return found.Build();
    }

    public ValidateOptionsResult Validate(string? name, PolymathEmbeddingOptions options)
    {
        var found = new ValidateOptionsResultBuilder();
        CheckPath(found, options.ModelPath);
        CheckAtLeast(found, 0, options.Threads, nameof(options.Threads));
        CheckAtLeast(found, 0, options.MaxTokens, nameof(options.MaxTokens));
        CheckAtLeast(found, 0, options.Dimensions, nameof(options.Dimensions));
        return found.Build();
    }

    private static void CheckPath(ValidateOptionsResultBuilder found, string? path)
    {
        if (string.IsNullOrEmpty(path))
            found.AddError("is not set", "ModelPath");
        else if (!Path.Exists(path))
            found.AddError($"there is nothing at {path}", "ModelPath");
    }

    private static void CheckAtLeast(ValidateOptionsResultBuilder found, int least, int value, string name)
    {
        if (value < least)
            found.AddError($"is {value}; at least {least} is expected", name);
    }
}
