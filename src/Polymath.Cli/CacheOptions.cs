using System.CommandLine;
using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>The options of the commands that open a text: how long it may be and how its cache is kept.</summary>
internal sealed class CacheOptions
{
    private const string Types = "F32, F16, BF16, Q8_0, Q5_1, Q5_0, Q4_1 or Q4_0";

    public Option<int> Context { get; } = Declare.Integer(
        ["--context", "-c"], "N", "Tokens of prompt and answer together; 0 for what the model was trained on", 0);

    public Option<TensorFormat> Keys { get; } = Declare.Format(["--cache-type-k"], $"How keys are kept: {Types}", TensorFormat.F16, Types);

    public Option<TensorFormat> Values { get; } = Declare.Format(["--cache-type-v"], $"How values are kept: {Types}", TensorFormat.F16, Types);

    /// <summary>The options as given.</summary>
    public SessionOptions Read(ParseResult parse) => new()
    {
        ContextLength = parse.GetValue(Context),
        KeyFormat = parse.GetValue(Keys),
        ValueFormat = parse.GetValue(Values),
    };
}
