namespace Polymath.Text.PreTokenizers;

/// <summary>
/// Cuts a text into the pieces inside which byte pairs may join. Each known pattern is written out by hand over Unicode
/// scalars, in one pass or a fixed number of passes: no text makes it slow. To add one: a class here, a line in
/// <see cref="Find"/>.
/// </summary>
internal abstract class PreTokenizer
{
    /// <summary>Splitter of a vocabulary by the name under tokenizer.ggml.pre; null when it is not known.</summary>
    public static PreTokenizerEntry? Find(string name) => name switch
    {
        "gpt-2" or "phi-2" or "mpt" or "olmo" or "jais" or "trillion" or "granite-docling" or "gigachat"
            or "modern-bert" or "exaone4" or "mellum" or "a.x-4.0" => new(new Gpt2(digitsAlone: false)),
        "starcoder" or "refact" or "command-r" or "smollm" or "codeshell" or "exaone" or "minerva-7b"
            => new(new Gpt2(digitsAlone: true)),
        "llama-bpe" or "llama3" or "llama-v3" or "falcon3" or "falcon-h1" or "pixtral" or "midm-2.0" or "lfm2"
            => new(new Llama3(digits: 3)) { WholeTokensFirst = true, AddsBegin = true },
        "dbrx" or "smaug-bpe" or "chatglm-bpe" or "glm4" => new(new Llama3(digits: 3)),
        "qwen2" or "stablelm2" or "hunyuan" or "megrez" or "deepseek-r1-qwen" or "grok-2" or "solar-open"
            => new(new Llama3(digits: 1)),
        "deepseek-llm" => new(new DeepSeekLlm()),
        "default" => new(new DefaultSplit()),
        _ => null,
    };

    /// <summary>Adds the end of each piece of <paramref name="text"/>, in order; the last is the text's length.</summary>
    public abstract void Split(ReadOnlySpan<char> text, IntList ends);
}

/// <summary>A splitter and what else its name implies for a vocabulary.</summary>
/// <param name="Splitter">Cuts the text.</param>
internal readonly record struct PreTokenizerEntry(PreTokenizer Splitter)
{
    /// <summary>A piece that is a token is that token, whatever the merges would make of it.</summary>
    public bool WholeTokensFirst { get; init; }

    /// <summary>Texts begin with the begin token unless the file says otherwise.</summary>
    public bool AddsBegin { get; init; }
}
