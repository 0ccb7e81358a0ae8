using Polymath.Files;
using Polymath.Text;

namespace Polymath.Training;

/// <summary>The vocabulary and the ids of a run.</summary>
/// <param name="Tokenizer">The vocabulary.</param>
/// <param name="Vocabulary">It again, as the tokenizer.* keys of a model file.</param>
/// <param name="Training">Ids to learn.</param>
/// <param name="Validation">Ids held out; empty when there are too few.</param>
public sealed record TrainingData(Tokenizer Tokenizer, Metadata Vocabulary, TokenSequence Training, TokenSequence Validation)
{
    private const string KeyPrefix = "tokenizer.";

    /// <summary>Reads the files of <paramref name="options"/>, learning a vocabulary unless there is one to take.</summary>
    /// <param name="options">Files and vocabulary.</param>
    /// <param name="vocabularyPath">The vocabulary of a run to go on with; null for a new run.</param>
    /// <param name="tell">Hears what was found.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="TrainingException">Data that cannot be read or is empty; a vocabulary without an end token.</exception>
    public static TrainingData Load(
        TrainingOptions options, string? vocabularyPath, Action<string> tell, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(tell);
        if (options.Data.Count == 0)
            throw new TrainingException("no data: name at least one text file");
        var corpus = new TextCorpus(options.Data, options.MaxDataBytes);
        vocabularyPath ??= options.From ?? options.Vocabulary;
        Metadata vocabulary = vocabularyPath is null ? Learn(corpus, options, tell, cancellation) : Take(vocabularyPath);
        Tokenizer tokenizer = Tokenizer.FromMetadata(vocabulary, vocabularyPath ?? "learned vocabulary");
        int end = tokenizer.EndId
            ?? throw new TrainingException($"{vocabularyPath}: the vocabulary has no token that ends a text");

        int threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount;
        TokenSequence all = TokenSequence.Read(corpus, tokenizer, end, threads, cancellation);
        if (corpus.Bytes == 0 || all.Count == 0)
            throw new TrainingException($"{string.Join(", ", options.Data)}: no text in there");
        Warn(corpus, "data", tell);
        tell(FormattableString.Invariant($"data: {corpus.Bytes / 1e6:F1} MB of text, {all.Count:N0} tokens"));
        if (options.Validation.Count == 0)
        {
            int held = Math.Clamp(all.Count / 100, Math.Min(all.Count / 10, 2048), 500_000);
            return new TrainingData(tokenizer, vocabulary, all.Slice(0, all.Count - held), all.Slice(all.Count - held, held));
        }

        var heldOut = new TextCorpus(options.Validation, options.MaxDataBytes);
        TokenSequence validation = TokenSequence.Read(heldOut, tokenizer, end, threads, cancellation);
        Warn(heldOut, "validation data", tell);
        return new TrainingData(tokenizer, vocabulary, all, validation);
    }

    private static void Warn(TextCorpus corpus, string what, Action<string> tell)
    {
        if (corpus.InvalidSequences > 0)
            tell($"{what}: {corpus.InvalidSequences} byte sequences are not UTF-8 and were read as U+FFFD");
    }

    private static Metadata Learn(TextCorpus corpus, TrainingOptions options, Action<string> tell, CancellationToken cancellation)
    {
        List<string> sample = Sample(corpus, options.VocabularySampleBytes, cancellation);
        if (corpus.Bytes == 0)
            throw new TrainingException($"{string.Join(", ", options.Data)}: no text in there");
        int size = options.VocabularySize ?? TrainingPlan.VocabularyFor(corpus.Bytes);
        tell(FormattableString.Invariant($"learning a vocabulary of {size} tokens from {corpus.Bytes / 1e6:F1} MB of text"));
        LearnedVocabulary learned;
        try
        {
            learned = BpeTrainer.Learn(sample, size, cancellation);
        }
        catch (ArgumentException e)
        {
            throw new TrainingException($"--vocab-size cannot be {size}: {e.Message}", e);
        }

        var vocabulary = new Metadata();
        learned.WriteTo(vocabulary);
        return vocabulary;
    }

    /// <summary>Pieces evenly spread over the corpus: whenever they grow over the limit, every second one is dropped.</summary>
    private static List<string> Sample(TextCorpus corpus, long limit, CancellationToken cancellation)
    {
        var sample = new List<string>();
        long length = 0;
        int stride = 1, index = 0;
        foreach (TextPiece piece in corpus.Read())
        {
            cancellation.ThrowIfCancellationRequested();
            if (index++ % stride != 0)
                continue;
            sample.Add(piece.Text);
            length += piece.Text.Length;
            while (length > limit && sample.Count > 1)
            {
                stride *= 2;
                sample = [.. sample.Where((_, i) => i % 2 == 0)];
                length = sample.Sum(text => (long)text.Length);
            }
        }

        return sample;
    }

    private static Metadata Take(string path)
    {
        using WeightSource source = WeightSource.Open(path);
        var vocabulary = new Metadata();
        foreach ((string key, MetadataValue value) in source.Metadata)
        {
            if (key.StartsWith(KeyPrefix, StringComparison.Ordinal))
                vocabulary.Set(key, value);
        }

        return vocabulary;
    }
}
