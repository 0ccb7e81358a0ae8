using System.Globalization;
using System.Text.Json;
using Polymath.Files;
using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>Whether a model runs on a machine, and how fast at most, as text and as JSON.</summary>
internal sealed class ModelReport
{
    private readonly WeightSource _source;
    private readonly SessionOptions _options;
    private readonly ModelOutline? _outline;
    private readonly string _problem = "";
    private readonly int _context;

    /// <summary>Examines a model without loading it.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    /// <exception cref="InvalidOperationException">The model has no such cache or no such positions.</exception>
    public ModelReport(WeightSource source, SessionOptions options)
    {
        _source = source;
        _options = options;
        if (!ModelOutline.Supports(source.Architecture))
        {
            _problem = $"architecture {source.Architecture} is not supported";
            return;
        }

        try
        {
            _outline = ModelOutline.Read(source);
            _context = _outline.ContextOf(options);
            _ = _outline.NeedOf(options);
        }
        catch (ModelFormatException e) when (source.Tensors.Any(t => !t.IsSupported))
        {
            string message = e.Message;
            _problem = message.StartsWith($"{source.Path}: ", StringComparison.Ordinal) ? message[(source.Path.Length + 2)..] : message;
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException(e.Message, e);
        }
    }

    /// <summary>True when the model can be loaded here, if only with a warning.</summary>
    public bool Runs(MachineMemory memory) =>
        _outline is not null && _outline.NeedOf(_options).FitIn(memory) != MemoryFit.ExceedsMachine;

    /// <summary>Name and value of each fact.</summary>
    public IEnumerable<(string Name, string Value)> Facts(MachineReport machine)
    {
        yield return ("architecture", ArchitectureText());
        foreach ((string format, int tensors, long bytes, bool supported) in Formats())
            yield return ("tensors", $"{Figures.Count(tensors)} × {format}, {(supported ? Figures.Bytes(bytes) : "not supported")}");
        if (_outline is null)
        {
            yield return ("verdict", $"does not run: {_problem}");
            yield break;
        }

        MemoryVerdict verdict = MemoryVerdict.Of(_outline, _options, machine.Memory);
        MemoryNeed need = verdict.Need;
        yield return ("weights", WeightsText(need));
        if (_outline.Writes)
            yield return ("cache", $"{Figures.Bytes(need.Cache)}: {Figures.Count(_context)} tokens, keys {_options.KeyFormat}, values {_options.ValueFormat}");
        yield return ("buffers", Figures.Bytes(need.Buffers));
        yield return ("verdict", verdict.Text);
        if (_outline.Writes)
            yield return ("decoding", DecodingText(machine));
    }

    /// <summary>Writes the facts as an object under a name.</summary>
    public void Write(Utf8JsonWriter writer, string name, MachineReport machine)
    {
        writer.WriteStartObject(name);
        writer.WriteString("path", _source.Path);
        writer.WriteString("architecture", _source.Architecture);
        writer.WriteBoolean("supported", _outline is not null);
        writer.WriteStartArray("formats");
        foreach ((string format, int tensors, long bytes, bool supported) in Formats())
        {
            writer.WriteStartObject();
            writer.WriteString("format", format);
            writer.WriteNumber("tensors", tensors);
            writer.WriteNumber("bytes", bytes);
            writer.WriteBoolean("supported", supported);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (_outline is null)
            writer.WriteString("problem", _problem);
        else
            WriteNeed(writer, _outline, machine);
        writer.WriteEndObject();
    }

    private void WriteNeed(Utf8JsonWriter writer, ModelOutline outline, MachineReport machine)
    {
        MemoryVerdict verdict = MemoryVerdict.Of(outline, _options, machine.Memory);
        writer.WriteNumber("context", _context);
        writer.WriteString("cache_type_k", _options.KeyFormat.ToString());
        writer.WriteString("cache_type_v", _options.ValueFormat.ToString());
        writer.WriteNumber("weights_mapped", verdict.Need.Mapped);
        writer.WriteNumber("weights_made", verdict.Need.Made);
        writer.WriteNumber("cache", verdict.Need.Cache);
        writer.WriteNumber("buffers", verdict.Need.Buffers);
        writer.WriteNumber("need", verdict.Need.Total);
        writer.WriteString("fit", verdict.Fit switch
        {
            MemoryFit.Fits => "fits",
            MemoryFit.ExceedsFree => "exceeds_free",
            _ => "exceeds_machine",
        });
        writer.WriteString("verdict", verdict.Text);
        if (!outline.Writes)
            return;
        foreach ((string at, int position) in new[] { ("half_context", _context / 2), ("full_context", _context) })
        {
            long bytes = outline.BytesPerToken(position, _options);
            writer.WriteNumber($"bytes_per_token_{at}", bytes);
            if (machine.TokensPerSecond(bytes) is { } rate)
                writer.WriteNumber($"most_tokens_per_second_{at}", Math.Round(rate, 2));
        }
    }

    private string ArchitectureText()
    {
        string name = Printable.Escape(_source.Architecture);
        if (!ModelOutline.Supports(_source.Architecture))
            return $"{name}, not supported; supported: {string.Join(", ", Decoder.Supported)}; to embed or rank: {string.Join(", ", Encoder.Supported)}";
        return _outline is { Writes: false } ? $"{name}, an encoder: it embeds or ranks texts" : name;
    }

    private static string WeightsText(MemoryNeed need) => need.Made == 0
        ? $"{Figures.Bytes(need.Mapped)}, mapped"
        : need.Mapped == 0 ? $"{Figures.Bytes(need.Made)}, made at loading"
        : $"{Figures.Bytes(need.Mapped)} mapped, {Figures.Bytes(need.Made)} made at loading";

    private string DecodingText(MachineReport machine)
    {
        long half = _outline!.BytesPerToken(_context / 2, _options), full = _outline.BytesPerToken(_context, _options);
        if (machine.TokensPerSecond(half) is not { } early || machine.TokensPerSecond(full) is not { } late)
            return $"not bounded by memory: the {Figures.Bytes(half)} that a token reads fit the processor's cache";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"at most {Rate(early)} tokens/s at half the context, {Rate(late)} at its end ({Figures.Bytes(half)} and {Figures.Bytes(full)} are read for a token)");

        static string Rate(double tokens) => Figures.Rate(tokens, TimeSpan.FromSeconds(1));
    }

    private IEnumerable<(string Format, int Tensors, long Bytes, bool Supported)> Formats() =>
        _source.Tensors.GroupBy(t => t.FormatId).OrderByDescending(g => g.Sum(t => t.ElementCount))
            .Select(g => (GgmlTypes.Name(g.Key), g.Count(), g.Sum(t => t.ByteLength), g.First().IsSupported));
}
