namespace Polymath.Chat;

/// <summary>
/// How a model writes its calls. One description serves both directions: the parser reads by it, and a grammar that
/// constrains the reply is composed from it. In writing:
/// <code>
/// BlockBegin (CallBegin name NameEnd arguments CallEnd) Separator (…) … BlockEnd
/// </code>
/// where name and NameEnd are missing when the arguments are a <see cref="JsonEnvelope"/>, which holds the name itself.
/// The texts are what the model is trained on, to the last white space; reading is lenient about white space between them.
/// </summary>
public sealed record CallForm
{
    /// <summary>Opens a block of calls; empty when each call stands alone.</summary>
    public string BlockBegin { get; init; } = "";

    /// <summary>In front of each call, up to its name or its JSON.</summary>
    public string CallBegin { get; init; } = "";

    /// <summary>Between name and arguments.</summary>
    public string NameEnd { get; init; } = "";

    /// <summary>Between name and an id that the model gives, where it does; empty otherwise. The id ends with <see cref="NameEnd"/>.</summary>
    public string IdBegin { get; init; } = "";

    /// <summary>True where the model writes name and number of the call as <c>functions.name:0</c>, which is the id too.</summary>
    public bool NumbersNames { get; init; }

    /// <summary>How the arguments are written.</summary>
    public required ArgumentsForm Arguments { get; init; }

    /// <summary>After each call.</summary>
    public string CallEnd { get; init; } = "";

    /// <summary>Between one call and the next.</summary>
    public string Separator { get; init; } = "";

    /// <summary>Closes the block.</summary>
    public string BlockEnd { get; init; } = "";

    /// <summary>False where the model is trained to write one call at most.</summary>
    public bool Parallel { get; init; } = true;

    /// <summary>
    /// True where the beginning may be ordinary text as well: what turns out to be no call of a known tool is content.
    /// With neither <see cref="BlockBegin"/> nor <see cref="CallBegin"/> a call is only looked for at the start of the answer.
    /// </summary>
    public bool Tentative { get; init; }

    /// <summary>True where other messages than calls begin with <see cref="Trigger"/> too, so that it tells nothing by itself.</summary>
    public bool SharesTrigger { get; init; }

    /// <summary>The text that tells a call from an answer: the first tag of what a call begins with. Empty for JSON that stands alone.</summary>
    public string Trigger
    {
        get
        {
            string begin = (BlockBegin.Length > 0 ? BlockBegin : CallBegin).TrimStart();
            int length = begin.AsSpan().IndexOfAny(' ', '\n') is int space and >= 0 ? space : begin.Length;
            int tag = begin.AsSpan(0, length).IndexOfAny('>', ']');
            return begin[..(tag >= 0 ? tag + 1 : length)];
        }
    }
}

/// <summary>How arguments are written.</summary>
public abstract record ArgumentsForm
{
    private protected ArgumentsForm()
    {
    }
}

/// <summary>A JSON object by the tool's schema.</summary>
public sealed record JsonArguments : ArgumentsForm;

/// <summary>A JSON object that holds name and arguments, the name first, the id last where there is one.</summary>
/// <param name="NameKey">Key of the name.</param>
/// <param name="ArgumentsKey">Key of the arguments.</param>
/// <param name="IdKey">Key of an id that the model gives, or null.</param>
public sealed record JsonEnvelope(string NameKey, string ArgumentsKey, string? IdKey = null) : ArgumentsForm;

/// <summary>One tagged text for each argument: <c>KeyBegin key KeyEnd value ValueEnd</c>. Strings stand as they are, all else as JSON.</summary>
/// <param name="KeyBegin">In front of the key.</param>
/// <param name="KeyEnd">Between key and value.</param>
/// <param name="ValueEnd">After the value.</param>
/// <param name="JsonKeyEnd">Where tags tell strings from other values: what stands in place of <paramref name="KeyEnd"/> before those.</param>
public sealed record TaggedArguments(string KeyBegin, string KeyEnd, string ValueEnd, string? JsonKeyEnd = null) : ArgumentsForm;

/// <summary>Gemma 4: an object whose keys are bare and whose strings stand between <c>&lt;|"|&gt;</c>, with nothing escaped.</summary>
public sealed record GemmaArguments : ArgumentsForm;

/// <summary>How a model sets its reasoning apart.</summary>
/// <param name="Begin">Opens it.</param>
/// <param name="End">Closes it.</param>
/// <param name="Anywhere">False where it only stands at the start of a reply, so that an answer may speak of the tags.</param>
public sealed record ReasoningForm(string Begin, string End, bool Anywhere = false);
