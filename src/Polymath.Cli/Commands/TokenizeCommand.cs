using System.CommandLine;
using System.Globalization;
using System.Text;
using Polymath.Files;
using Polymath.Text;

namespace Polymath.Cli.Commands;

/// <summary>Shows how a model splits text.</summary>
internal sealed class TokenizeCommand : CliCommand
{
    private readonly Argument<string> _model = Declare.Required("MODEL", $"{ModelArgument.Forms}. A vocabulary alone is enough.");
    private readonly Argument<string?> _text = Declare.Optional("TEXT", "The text. Without it standard input is read, to the byte.");
    private readonly Option<bool> _ids = Declare.Switch("--ids", "Print the ids alone, on one line with spaces between.");
    private readonly Option<bool> _noSpecial = Declare.Switch("--no-special", "Add no begin or end token.");
    private readonly Option<bool> _parseSpecial = Declare.Switch("--parse-special", "Read special tokens written in the text as such.");
    private readonly Option<bool> _decode = Declare.Switch("--decode", "The other way: TEXT holds ids (spaces or commas between), print their text.");

    public TokenizeCommand()
        : base("tokenize", "Split text into the tokens of a model.")
    {
        Add(_model);
        Add(_text);
        AddGroup("Options", _ids, _noSpecial, _parseSpecial, _decode);
        AddExample("polymath tokenize model.gguf \"Once upon a time\"", "A line for each token: id, text.");
        AddExample("polymath tokenize model.gguf --ids < book.txt", "All ids on one line.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        using WeightSource source = WeightSource.Open(ModelArgument.Resolve(parse.GetValue(_model), terminal));
        var tokenizer = Tokenizer.Load(source);
        string text = parse.GetValue(_text) ?? FromInput(terminal);
        if (parse.GetValue(_decode))
        {
            terminal.Out.Write(tokenizer.Decode(IdList.Parse(text, tokenizer.VocabularySize)));
            return ExitCode.Success;
        }

        int[] ids = tokenizer.Encode(text, !parse.GetValue(_noSpecial), parse.GetValue(_parseSpecial));
        if (parse.GetValue(_ids))
            WriteIds(ids, terminal);
        else
            WriteTokens(ids, tokenizer, terminal);
        return ExitCode.Success;
    }

    /// <summary>What a token stands for, in quotes, with bytes that are no UTF-8 as \xNN and controls escaped.</summary>
    internal static string Describe(Tokenizer tokenizer, int id)
    {
        ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
        if (tokenizer.IsSpecial(id) || bytes.IsEmpty)
            return Printable.Escape(tokenizer.TokenText(id));
        var text = new StringBuilder("'");
        while (!bytes.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            if (valid)
                text.Append(Printable.Escape(rune.ToString()));
            else
                text.Append(CultureInfo.InvariantCulture, $"\\x{bytes[0]:X2}");
            bytes = bytes[(valid ? length : 1)..];
        }

        return text.Append('\'').ToString();
    }

    private static string FromInput(Terminal terminal) => terminal.InputIsTerminal
        ? throw new UsageException("no text: give it in quotes, or on standard input; see polymath tokenize --help")
        : TextInput.ReadAll(terminal.Input, "standard input", terminal.Cancellation);

    private static void WriteIds(int[] ids, Terminal terminal)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            if (i > 0)
                terminal.Out.Write(' ');
            terminal.Out.Write(ids[i].ToString(CultureInfo.InvariantCulture));
        }

        terminal.Out.WriteLine();
    }

    private static void WriteTokens(int[] ids, Tokenizer tokenizer, Terminal terminal)
    {
        foreach (int id in ids)
        {
            terminal.Cancellation.ThrowIfCancellationRequested();
            terminal.Out.Write(id.ToString(CultureInfo.InvariantCulture).PadLeft(6));
            terminal.Out.Write("  ");
            terminal.Out.WriteLine(Describe(tokenizer, id));
        }
    }
}
