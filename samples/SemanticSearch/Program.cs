// The lines of a text that are nearest in meaning: dotnet run -c Release --project samples/SemanticSearch -- ENCODER FILE "a question"
using Microsoft.Extensions.AI;
using Polymath.Extensions.AI;
using Polymath.Models;

if (args is not [string path, string file, string query])
{
    Console.Error.WriteLine("usage: SemanticSearch ENCODER FILE QUERY");
    return 2;
}

using PolymathEmbeddingGenerator generator = PolymathEmbeddingGenerator.Load(path, new TextEncoderOptions { LongText = LongText.Cut });
string[] lines = [.. File.ReadLines(file).Where(line => !string.IsNullOrWhiteSpace(line))];
GeneratedEmbeddings<Embedding<float>> vectors = await generator.GenerateAsync(lines, As("document"));
ReadOnlyMemory<float> wanted = await generator.GenerateVectorAsync(query, As("query"));
IEnumerable<(float Score, string Line)> ranked = lines
    .Select((line, i) => (Likeness(wanted.Span, vectors[i].Vector.Span), line)).OrderByDescending(found => found.Item1);
foreach ((float score, string line) in ranked.Take(5))
    Console.WriteLine(FormattableString.Invariant($"{score:f3}  {line}"));
return 0;

// Some models are told what a text is.
static EmbeddingGenerationOptions As(string prompt) => new() { AdditionalProperties = new() { ["prompt"] = prompt } };

// Vectors have length one, so their product is the cosine.
static float Likeness(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
{
    float sum = 0;
    for (int i = 0; i < a.Length; i++)
        sum += a[i] * b[i];
    return sum;
}
