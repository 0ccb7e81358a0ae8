using System.CommandLine;
using Polymath.Models;

namespace Polymath.Cli;

/// <summary>The options of the commands that embed or rank: how long texts may be, how their vectors are made.</summary>
internal sealed class EncoderOptions
{
    public Option<Pooling?> Pooling { get; } = Declare.Choice(
        "--pooling", "How the vectors of a text's tokens become one: mean, cls (the first) or last (default: as the model says)",
        ("mean", Models.Pooling.Mean), ("cls", Models.Pooling.Cls), ("last", Models.Pooling.Last));

    public Option<bool> Cut { get; } = Declare.Switch("--cut", "Cut the end off texts that are too long, instead of refusing them.");

    public Option<int> Threads { get; } = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);

    /// <summary>The options as given.</summary>
    public TextEncoderOptions Read(ParseResult parse) => new()
    {
        Threads = parse.GetValue(Threads),
        Pooling = parse.GetValue(Pooling),
        LongText = parse.GetValue(Cut) ? LongText.Cut : LongText.Refuse,
    };

    /// <summary>Requires a model that makes vectors.</summary>
    /// <exception cref="InvalidOperationException">It ranks, makes a vector for each token, or writes.</exception>
    public void RequireVectors(ParseResult parse, TextEncoder encoder)
    {
        if (parse.GetValue(Pooling) is not null)
            return;
        string path = encoder.Source.Path, architecture = encoder.Settings.Architecture;
        if (encoder.Pooling == Models.Pooling.Rank)
            throw new InvalidOperationException($"{path}: this model ranks documents (polymath rerank); for vectors choose a --pooling");
        if (encoder.Pooling == Models.Pooling.None)
            throw new InvalidOperationException($"{path}: this model makes a vector for each token; choose a --pooling for one of each text");
        if (Decoder.Supported.Contains(architecture) && !encoder.Source.Metadata.Contains($"{architecture}.pooling_type"))
            throw new InvalidOperationException($"{path}: this model writes texts (polymath run) and names no pooling; for vectors choose a --pooling");
    }

    /// <summary>The ids of each text; how many were cut goes to standard error.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="what">What a text is, in messages.</param>
    /// <param name="encode">Makes the ids of one.</param>
    /// <param name="terminal">Where the note goes.</param>
    /// <exception cref="InvalidDataException">A text is too long, or has no tokens.</exception>
    public static int[][] Encode(IReadOnlyList<string> texts, string what, Func<string, EncodedText> encode, Terminal terminal)
    {
        var ids = new int[texts.Count][];
        int cut = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            terminal.Cancellation.ThrowIfCancellationRequested();
            try
            {
                EncodedText encoded = encode(texts[i]);
                ids[i] = encoded.Ids.Length > 0 ? encoded.Ids : throw new InvalidDataException($"{what} {i + 1} has no tokens");
                cut += encoded.Dropped > 0 ? 1 : 0;
            }
            catch (ArgumentException e)
            {
                throw new InvalidDataException($"{what} {i + 1}: {e.Message}; --cut cuts the end off", e);
            }
        }

        if (cut > 0)
            terminal.Error.WriteLine($"polymath: {Figures.Count(cut)} of {Figures.Count(ids.Length)} {what}s were too long and are cut");
        return ids;
    }
}
